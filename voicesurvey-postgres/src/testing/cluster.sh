# A PostgreSQL cluster that lives as long as somebody holds our standard input open, however that
# process ends. Arguments: the folder of the programs, and a folder of our own.
#
# Says "ready" on standard output when it accepts connections, and nothing when it failed.
trap '' HUP INT TERM
programs=$1
folder=$2
data=$folder/data
{
    "$programs/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync --no-instructions &&
        "$programs/pg_ctl" start --wait --pgdata="$data" --log="$folder/log" --options="\
-c listen_addresses='' -c unix_socket_directories='$folder' -c max_connections=300 \
-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB"
} >"$folder/start" 2>&1 </dev/null && echo ready
cat >/dev/null
"$programs/pg_ctl" stop --mode=immediate --pgdata="$data" >/dev/null 2>&1 </dev/null
rm -rf "$folder"
