# Prints a stream as it comes.
import sys
import httpx

with httpx.stream('GET', sys.argv[1], timeout=None) as response:
    assert response.headers['Content-Encoding'] == 'gzip'
    for piece in response.iter_text():
        sys.stdout.write(piece)
        sys.stdout.flush()
