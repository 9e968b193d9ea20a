# Prints a stream as it comes, and fails where it is not one whole member of gzip.
import sys
import urllib.request
import zlib

request = urllib.request.Request(sys.argv[1], headers={'Accept-Encoding': 'gzip'})
with urllib.request.urlopen(request) as response:
    assert response.headers['Content-Encoding'] == 'gzip'
    decoder = zlib.decompressobj(31)
    while chunk := response.read1():
        sys.stdout.write(decoder.decompress(chunk).decode())
        sys.stdout.flush()
    assert decoder.eof and decoder.unused_data == b''
