# SPDX-License-Identifier: MIT
# Completion of tds-admin: its commands, and the operands of each: roles and groups of the running admin process, files
# that check reads.
source (status dirname)/_tds.fish

function __tds_admin_operands
    __tds_operands -C --directory -T --names-from --grace --notify-fd --group --timeout --root --manager --textfile --delay --sort --folder --bus --name --candidates --days -n --lines --since --role --level
end

# __tds_admin_at N COMMAND…: N operands stand before the word, the first of them one of the commands.
function __tds_admin_at
    set -l operands (__tds_admin_operands)
    test (count $operands) -eq $argv[1] && begin
        test $argv[1] -eq 0 || contains -- $operands[1] $argv[2..]
    end
end

# __tds_admin_of COMMAND…: the command is one of these, or none is there yet, so that options may come first.
function __tds_admin_of
    set -l operands (__tds_admin_operands)
    test (count $operands) -eq 0; or contains -- $operands[1] $argv
end

set -l commands ask bootstart check config convention forget help history keys list log may members metrics reload restart role sandbox setup shutdown start status tell top tree watch

__tds_common_options tds-admin
complete -c tds-admin -n '__tds_admin_at 0' -a "$commands"
complete -c tds-admin -n '__tds_admin_at 1 help' -a "$commands"
complete -c tds-admin -n '__tds_admin_at 1 list history' -a '(__tds_loaded_groups)'
complete -c tds-admin -n '__tds_admin_at 1 forget' -a '(__tds_groups)'
complete -c tds-admin -n '__tds_admin_at 1 sandbox' -F -a '(__tds_groups)' -d Group
complete -c tds-admin -n '__tds_admin_at 1 sandbox' -a '(__tds_packages)' -d Package
complete -c tds-admin -n '__tds_admin_at 1 role log' -a '(__tds_roles)'
complete -c tds-admin -n '__tds_admin_at 1 tell ask' -a '(__tds_targets)'
complete -c tds-admin -n '__fish_seen_subcommand_from bootstart' -a nostart
complete -c tds-admin -n '__fish_seen_subcommand_from check' -F
complete -c tds-admin -n '__tds_admin_at 1 convention' -a 'init remove join leave status'
complete -c tds-admin -n '__tds_admin_at 2 convention' -a '(__fish_complete_directories)'
complete -c tds-admin -n '__tds_admin_at 1 setup' -a '(__fish_complete_directories)'
complete -c tds-admin -l folder -x -a '(__fish_complete_directories)' -n '__tds_admin_of convention' -d 'convention: the folder of init and remove'
complete -c tds-admin -l bus -x -n '__tds_admin_of convention' -d 'convention: names and addresses of the server'
complete -c tds-admin -l name -x -n '__tds_admin_of convention' -d 'convention: its name'
complete -c tds-admin -l candidates -x -n '__tds_admin_of convention' -d 'convention: who may lead it, and nobody else'
complete -c tds-admin -l days -x -n '__tds_admin_of convention' -d 'convention: how long new certificates are good for'
complete -c tds-admin -l renew -n '__tds_admin_of convention' -d 'convention: make new certificates'
complete -c tds-admin -s T -l names-from -r -F -n '__tds_admin_of check' -d 'check: read names from FILE too, one a line'
complete -c tds-admin -s 0 -l null -n '__tds_admin_of check' -d 'check: these names end in NUL instead of a newline'
complete -c tds-admin -l foreground -n '__tds_admin_of start' -d 'start: stay, for a supervisor'
complete -c tds-admin -l load-all -n '__tds_admin_of start' -d 'start: with --foreground, load the newest of each group'
complete -c tds-admin -l notify-fd -x -n '__tds_admin_of start' -d 'start: with --foreground, a newline goes there once it is up'
complete -c tds-admin -l fresh -n '__tds_admin_of start' -d 'start: do not restore what a crash left, move it aside'
complete -c tds-admin -l transient -n '__tds_admin_of start' -d 'start: at the end leave no run directory behind'
complete -c tds-admin -l python-path -n '__tds_admin_of config' -d 'config: print only the folder of the package thespian'
complete -c tds-admin -l grace -x -n '__tds_admin_of shutdown restart' -d 'shutdown, restart: how long actors may take to exit'
complete -c tds-admin -l group -x -a '(__tds_loaded_groups)' -n '__tds_admin_of role tell ask log' -d 'role, tell, ask, log: of this group alone'
complete -c tds-admin -l timeout -x -n '__tds_admin_of ask tell convention members' -d 'ask, tell, convention, members: how long to wait'
complete -c tds-admin -l wait -x -n '__tds_admin_of members' -d 'members: until N systems are there'
complete -c tds-admin -l json-message -n '__tds_admin_of tell ask' -d 'tell, ask: MESSAGE is JSON'
complete -c tds-admin -s f -l follow -n '__tds_admin_of log' -d 'log: go on with what comes'
complete -c tds-admin -s n -l lines -x -n '__tds_admin_of log history top' -d 'log, history, top: only the last N; of top N tables'
complete -c tds-admin -l since -x -n '__tds_admin_of log history' -d 'log, history: what is not older: a time, or ago: 10m, 2h, 1d'
complete -c tds-admin -l role -x -a '(__tds_roles)' -n '__tds_admin_of log' -d 'log: of this role alone'
complete -c tds-admin -l level -x -a 'DEBUG INFO WARNING ERROR CRITICAL' -n '__tds_admin_of log' -d 'log: what is at least of this level'
complete -c tds-admin -l audit -n '__tds_admin_of log' -d 'log: check the audit log, and print the digest of its last line'
complete -c tds-admin -l root -x -a '(__fish_complete_directories)' -n '__tds_admin_of setup bootstart' -d 'setup, bootstart: write below ROOT, and leave the running system alone'
complete -c tds-admin -l user -f -a '(__fish_complete_users)' -n '__tds_admin_of setup bootstart' -d 'setup, bootstart: whose process the admin process is; its own systemd'
complete -c tds-admin -l manager -x -a 'systemd openrc runit s6 upstart sysv' -n '__tds_admin_of bootstart' -d 'bootstart: the manager of services'
complete -c tds-admin -l remove -n '__tds_admin_of bootstart' -d 'bootstart: take the service back'
complete -c tds-admin -l print -n '__tds_admin_of setup bootstart' -d 'setup, bootstart: change nothing, print the commands or the file'
complete -c tds-admin -l once -n '__tds_admin_of top' -d 'top: print one table, and end'
complete -c tds-admin -l delay -x -n '__tds_admin_of top' -d 'top: how long until the next table'
complete -c tds-admin -l sort -x -n '__tds_admin_of top' -a 'cpu memory messages queue restarts pid name' -d 'top: by which column'
complete -c tds-admin -l textfile -r -F -n '__tds_admin_of metrics' -d 'metrics: write FILE, whole, for node_exporter'
complete -c tds-admin -l literal -n '__tds_admin_of check' -d 'check: FILE may hold any literal, not only a known kind of file'
complete -c tds-admin -l strict -n '__tds_admin_of check' -d 'check: warnings are errors'
