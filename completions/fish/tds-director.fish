# SPDX-License-Identifier: MIT
# Completion of tds-director: the Director's commands and their operands. It has no options.
source (status dirname)/_tds.fish

# __tds_director_at N COMMAND…: N operands stand before the word, the first of them one of the commands.
function __tds_director_at
    set -l operands (commandline -opc)[2..]
    test "$operands[1]" != verbose || set -e operands[1]
    test (count $operands) -eq $argv[1] && begin
        test $argv[1] -eq 0 || contains -- $operands[1] $argv[2..]
    end
end

set -l commands avail bootstart config gensrc help list load refresh shutdown start tlsinfo unload

complete -c tds-director -f
complete -c tds-director -n '__tds_director_at 0' -a "$commands verbose"
complete -c tds-director -n '__tds_director_at 1 help' -a "$commands"
complete -c tds-director -n '__tds_director_at 1 list' -a '(__tds_loaded_groups)'
complete -c tds-director -n '__tds_director_at 1 load gensrc' -a '(__tds_groups)' -d Group
complete -c tds-director -n '__tds_director_at 1 load' -a '(__tds_packages)' -d Package
complete -c tds-director -n '__tds_director_at 1 tlsinfo' -F -a '(__tds_packages)' -d Package
complete -c tds-director -n '__tds_director_at 1 unload' -a '(__tds_hashes)' -d 'Loaded source'
complete -c tds-director -n '__tds_director_at 2 tlsinfo' -a contents
complete -c tds-director -n '__tds_director_at 2 gensrc' -F
complete -c tds-director -n '__tds_director_at 3 gensrc' -a '(__fish_complete_directories)'
complete -c tds-director -n '__fish_seen_subcommand_from bootstart' -a nostart
complete -c tds-director -n '__tds_director_at 1 start' -a wait
