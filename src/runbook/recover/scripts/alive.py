# Which of these places ("address port" each) somebody listens at. The last line says that all have been asked.
import concurrent.futures
import socket
import sys


def back(place):
    try:
        socket.create_connection(place.split(), timeout=1.5).close()
        return True
    except OSError:
        return False


with concurrent.futures.ThreadPoolExecutor(32) as pool:
    for place, there in zip(sys.argv[1:], pool.map(back, sys.argv[1:])):
        if there:
            print("back", place.split()[0])
print("end")
