# Completions of commands and flags; the binary knows them.
complete -c cdr-exporter -a '(set -l words (commandline -opc); $words[1] --completion-bash $words[2..] (commandline -ct))'
