# SPDX-License-Identifier: MIT
# Completion of tds-verify: packages, groups, and behind -x the members of the package that is named.
source (status dirname)/_tds.fish

function __tds_members
    set -l words (commandline -opc)
    set -l operands (__tds_operands -C --directory -T --names-from -k --key -x --extract -d --extract-to -o --output \
        --max-entries --max-bytes)
    test -n "$operands[1]" && $words[1] -C (__tds_dir) -q -t -- $operands[1] 2>/dev/null |
        string replace -r '^ *[0-9]+  ' ''
end

__tds_common_options tds-verify
complete -c tds-verify -F -a '(__tds_packages)' -d Package
complete -c tds-verify -F -a '(__tds_groups)' -d Group
complete -c tds-verify -s t -l list -d 'List the members'
complete -c tds-verify -s x -l extract -x -a '(__tds_members)' -d 'Write the member NAME to standard output'
complete -c tds-verify -s d -l extract-to -x -a '(__fish_complete_directories)' -d 'Extract all members below DIR'
complete -c tds-verify -s o -l output -r -F -d 'Write the archive to ZIP'
complete -c tds-verify -s k -l key -r -F -d 'Use this public key file, not those of the directory'
complete -c tds-verify -s T -l names-from -r -F -d 'Read names from FILE too, one a line'
complete -c tds-verify -s 0 -l null -d 'These names end in NUL instead of a newline'
complete -c tds-verify -l explain -d 'Print each check, where it looked, and what it found'
complete -c tds-verify -l strict -d 'Refuse packages without a signed name, and keys that others may write'
complete -c tds-verify -l max-entries -x -d 'Refuse archives of more than N members'
complete -c tds-verify -l max-bytes -x -d 'Refuse archives that unpack to more than N bytes'
