# Which of these places ("address port what" each; port 0 is a ping) answers. A connection that is refused is an answer, too: who
# is off says nothing. The last line says that all have been asked.
import concurrent.futures
import socket
import subprocess
import sys


def back(place):
    address, port, what = place.split()
    try:
        if port == "0":
            ping = subprocess.run(["ping", "-n", "-q", "-c", "1", "-W", "1", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=1.2)
            return "it answers a ping" if ping.returncode == 0 else None
        socket.create_connection((address, int(port)), timeout=1.0).close()
        return what + " answers"
    except ConnectionRefusedError:
        return "it refuses a connection to " + what
    except (OSError, subprocess.SubprocessError):
        return None


with concurrent.futures.ThreadPoolExecutor(64) as pool:
    for place, there in zip(sys.argv[1:], pool.map(back, sys.argv[1:])):
        if there:
            print("back %s (%s)" % (place.split()[0], there))
print("end")
