# Prints a stream as it comes.
import sys
import requests

with requests.get(sys.argv[1], stream=True) as response:
    assert response.headers['Content-Encoding'] == 'gzip'
    for piece in response.iter_content(None):
        sys.stdout.write(piece.decode())
        sys.stdout.flush()
