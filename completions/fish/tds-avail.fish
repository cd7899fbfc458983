# SPDX-License-Identifier: MIT
# Completion of tds-avail: groups.
source (status dirname)/_tds.fish

__tds_common_options tds-avail
complete -c tds-avail -a '(__tds_groups)' -d Group
complete -c tds-avail -s p -l paths -d 'Print paths alone'
complete -c tds-avail -s l -l latest -d 'Only the newest package of each group'
complete -c tds-avail -l verify -d 'Say of each package whether it loads, and by which key'
complete -c tds-avail -l excess -d 'Print the packages beyond the TLS_Keep_Limit of their group'
complete -c tds-avail -l prune -d 'Delete them, and print each'
complete -c tds-avail -l wait -x -d 'With --prune: wait so long for another process that deletes or loads'
complete -c tds-avail -s T -l names-from -r -F -d 'Read names from FILE too, one a line'
complete -c tds-avail -s 0 -l null -d 'Names end in NUL, read and printed, instead of a newline'
