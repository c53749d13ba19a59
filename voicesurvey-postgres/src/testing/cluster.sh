# A PostgreSQL cluster that lives as long as its owner, however that ends. Arguments: the folder of
# the programs, a folder of our own, the server's options, where the data are to be ("memory", if
# there is room, or "disk"), and the process that owns the cluster; without one the owner is whoever
# holds our standard input open.
#
# Says "ready" on standard output when it accepts connections, and nothing when it failed.
trap '' HUP INT TERM
programs=$1
folder=$2
options=$3
place=$4
owner=$5
data=$folder/data
# Containers often have a few megabytes there, in which the tests' databases would not fit.
least_free_kilobytes=2097152
free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
if [ "$place" = memory ] && [ "${free:-0}" -ge "$least_free_kilobytes" ] &&
    memory=$(mktemp -d /dev/shm/voicesurvey-XXXXXX 2>/dev/null); then
    ln -s "$memory" "$data"
else
    memory=
fi
{
    "$programs/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync --no-instructions &&
        "$programs/pg_ctl" start --wait --pgdata="$data" --log="$folder/log" --options="$options"
} >"$folder/start" 2>&1 </dev/null && echo ready
is_alive() {
    # A process of another user cannot be signalled, but its folder can be seen.
    if [ -d /proc/self ]; then [ -d "/proc/$1" ]; else kill -0 "$1" 2>/dev/null; fi
}
if [ -n "$owner" ]; then
    while is_alive "$owner"; do sleep 1; done
else
    cat >/dev/null
fi
"$programs/pg_ctl" stop --mode=immediate --pgdata="$data" >/dev/null 2>&1 </dev/null
rm -rf "$folder" ${memory:+"$memory"}
