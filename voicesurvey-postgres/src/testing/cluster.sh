# A PostgreSQL cluster that lives as long as its owner, however that ends. Arguments: the folder of
# the programs, a folder of our own, the server's options, and the process that owns the cluster;
# without one the owner is whoever holds our standard input open.
#
# Says "ready" on standard output when it accepts connections, and nothing when it failed.
trap '' HUP INT TERM
programs=$1
folder=$2
options=$3
owner=$4
data=$folder/data
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
rm -rf "$folder"
