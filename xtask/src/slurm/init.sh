# The first process of a cluster in a root of its own, which it has entered. Sets up the rest, and then only reaps. Its end
# ends the cluster.

# Slurm resolves names with AI_ADDRCONFIG, for which a machine that has the loopback interface alone has no
# addresses at all, not even 127.0.0.1. Both ends of this stay here.
ip link add veth0 type veth peer name veth1
ip address add 192.0.2.1/24 dev veth0
ip link set veth0 up
ip link set veth1 up

# By this variable the cluster is found: only now, as all is there. Not before all of them have ended does `wait`
# return, and until then it reaps whatever is left to the first process.
exec env -i PATH="$PATH" "SORTIE_PRIVATE_SLURM=$dir" sh -c 'sleep infinity & wait'
