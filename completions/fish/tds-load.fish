# SPDX-License-Identifier: MIT
# Completion of tds-load: groups, packages, and behind --unload the hashes of what is loaded.
source (status dirname)/_tds.fish

function __tds_load_unloads
    contains -- --unload (commandline -opc)
end

function __tds_load_wants
    string match -qr -- '^--(hold|release|rollback)$' (commandline -opc)
end

__tds_common_options tds-load
complete -c tds-load -n __tds_load_unloads -a '(__tds_hashes)' -d 'Loaded source'
complete -c tds-load -n 'not __tds_load_unloads' -F -a '(__tds_groups)' -d Group
complete -c tds-load -n 'not __tds_load_unloads; and not __tds_load_wants' -F -a '(__tds_packages)' -d Package
complete -c tds-load -s a -l all -d 'Refresh: the newest package of every group, where it is not active already'
complete -c tds-load -l unload -d 'NAMEs are source hashes: unload these'
complete -c tds-load -l hold -d 'Keep GROUP at VERSION, which is loaded where it is not active'
complete -c tds-load -l release -d 'Let GROUPs not be held any more'
complete -c tds-load -l rollback -d 'Back to the version of GROUP before, and hold it there'
complete -c tds-load -s n -l dry-run -d 'Only say what would be loaded'
complete -c tds-load -l retry -d 'With --all: also packages whose last load was undone'
complete -c tds-load -l allow-downgrade -d 'Also a version below the floor of its group, which is set to it'
complete -c tds-load -l wait -x -d 'How long a source may take until it is ready'
complete -c tds-load -l no-start -d 'Do not start the admin process'
complete -c tds-load -s T -l names-from -r -F -d 'Read names from FILE too, one a line'
complete -c tds-load -s 0 -l null -d 'Names end in NUL, read and printed, instead of a newline'
