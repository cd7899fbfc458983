# SPDX-License-Identifier: MIT
# What the completions of all tds tools share. Names are data here: they are printed, a line each, and never evaluated.

# The options that each tool has.
function __tds_common_options
    complete -c $argv[1] -f
    complete -c $argv[1] -s C -l directory -x -a '(__fish_complete_directories)' -d 'The director directory'
    complete -c $argv[1] -s j -l json -d 'Print JSON'
    complete -c $argv[1] -s q -l quiet -d 'Print no warnings, and nothing where all is well'
    complete -c $argv[1] -s v -l verbose -d 'Say more'
    complete -c $argv[1] -s h -l help -d 'Print help'
    complete -c $argv[1] -s V -l version -d 'Print the version'
end

# The director directory that the tool would use.
function __tds_dir
    set -l words (commandline -opc)
    set -l dir $THESPIAN_DIRECTOR_DIR /opt/thespian/director
    for i in (seq 2 (count $words))
        switch $words[$i]
            case -C --directory
                set dir $words[(math $i + 1)] $dir
            case '-C*'
                set dir (string sub -s 3 -- $words[$i])
            case '--directory=*'
                set dir (string replace -- --directory= '' $words[$i])
        end
    end
    string replace -r '^~/' "$HOME/" -- $dir[1]
end

# The words before the one to complete that are neither options nor the values of those that are named.
function __tds_operands
    set -l value no
    for word in (commandline -opc)[2..]
        if test $value = yes
            set value no
        else if contains -- $word $argv
            set value yes
        else if not string match -qr -- '^-.' $word
            printf '%s\n' $word
        end
    end
end

# Groups that the directory declares, packages in it.
function __tds_groups
    set -l dir (__tds_dir)
    for file in $dir/*.tli
        string replace -r '^.*/(.*)\.tli$' '$1' -- $file
    end
end

function __tds_packages
    set -l dir (__tds_dir)
    for file in $dir/*.tls
        string replace -r '^.*/' '' -- $file
    end
end

# What jq finds in the list of a running admin process; nothing where there is none.
function __tds_running
    set -l tool (commandline -opc)[1]
    if string match -q -- '*/*' $tool
        set tool (string replace -r '[^/]*$' tds-admin -- $tool)
    else
        set tool tds-admin
    end
    timeout 1 $tool -C (__tds_dir) list -j 2>/dev/null </dev/null | jq -r $argv[1] 2>/dev/null
end

function __tds_hashes
    __tds_running '.Groups[].Loaded[]'
end

function __tds_loaded_groups
    __tds_running '.Groups | keys[]'
end

function __tds_roles
    __tds_running '.Groups[] | .Running[.ActiveHash // ""][]? | .Role // empty'
end

# Roles and @GLOBALNAMEs.
function __tds_targets
    __tds_running '.Groups[] | .Running[.ActiveHash // ""][]? | .Role // empty, (.GlobalName // empty | "@" + .)'
end
