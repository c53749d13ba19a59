# A PostgreSQL cluster that lives as long as its owner, however that ends. Arguments: the folder of
# the programs, a folder of our own, and the process that owns the cluster; without one the owner is
# whoever holds our standard input open.
#
# Says "ready" on standard output when it accepts connections, and nothing when it failed.
trap '' HUP INT TERM
programs=$1
folder=$2
owner=$3
data=$folder/data
{
    "$programs/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync --no-instructions &&
        "$programs/pg_ctl" start --wait --pgdata="$data" --log="$folder/log" --options="\
-c listen_addresses='' -c unix_socket_directories='$folder' -c max_connections=300 \
-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB"
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
