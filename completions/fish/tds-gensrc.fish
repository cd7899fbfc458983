# SPDX-License-Identifier: MIT
# Completion of tds-gensrc: a group, a key, a folder, then the Director's options and sources below that folder.
source (status dirname)/_tds.fish

function __tds_gensrc_operands
    __tds_operands -C --directory -T --names-from -o --output --release --deps --tli --format --python --passphrase-file --signer
end

function __tds_gensrc_nth
    test (count (__tds_gensrc_operands)) -eq $argv[1]
end

# Files below the source folder, as SOURCE names them, and the Director's options.
function __tds_gensrc_sources
    set -l folder (string replace -r '^~/' "$HOME/" -- (__tds_gensrc_operands)[3])
    set -l word (commandline -ct)
    printf '%s\n' version: version:date fmt:ThespianDirectorFMT1 fmt:ViceroyFMT2 fmt:tdsFMT1
    for option in deps: tli:
        printf '%s\n' $option$(__fish_complete_path (string replace -- $option '' $word) | string replace -r '\t.*' '')
    end
    for file in (__fish_complete_path $folder/$word | string replace -r '\t.*' '')
        string sub -s (math (string length -- $folder) + 2) -- $file
    end
end

__tds_common_options tds-gensrc
complete -c tds-gensrc -n '__tds_gensrc_nth 0' -a '(__tds_groups)' -d Group
complete -c tds-gensrc -n '__tds_gensrc_nth 1' -F
complete -c tds-gensrc -n '__tds_gensrc_nth 2' -a '(__fish_complete_directories)'
complete -c tds-gensrc -n 'test (count (__tds_gensrc_operands)) -ge 3' -a '(__tds_gensrc_sources)'
complete -c tds-gensrc -l release -x -a date -d 'The version, as version:V'
complete -c tds-gensrc -l deps -r -F -d 'Pack the Python packages and modules that FILE names'
complete -c tds-gensrc -l tli -r -F -d 'Install FILE as GROUP.tli'
complete -c tds-gensrc -l format -x -a 'ThespianDirectorFMT1 ViceroyFMT2 tdsFMT1' -d 'The format'
complete -c tds-gensrc -s o -l output -r -F -d 'Write the package to FILE, or into the folder FILE'
complete -c tds-gensrc -s T -l names-from -r -F -d 'Read SOURCEs from FILE too, one a line'
complete -c tds-gensrc -s 0 -l null -d 'These SOURCEs end in NUL instead of a newline'
complete -c tds-gensrc -l python -r -F -d 'The Python that checks sources and has the dependencies'
complete -c tds-gensrc -l no-check -d 'Do not check the syntax of .py files'
complete -c tds-gensrc -l passphrase-file -r -F -d 'The passphrase of the key is the first line of FILE'
complete -c tds-gensrc -l signer -x -a '(__fish_complete_command)' -d 'The command that signs what it reads'
