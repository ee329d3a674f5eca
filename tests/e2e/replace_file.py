"""replace_file.py NEW FILE LOG PATTERN: move NEW over FILE and print how many
milliseconds later a line of LOG matches PATTERN (or nothing, after 30 s)."""
import os
import re
import select
import subprocess
import sys
import time

new, file, log, pattern = sys.argv[1:]
offset = os.stat(log).st_size + 1
begin = time.monotonic()
os.rename(new, file)
tail = subprocess.Popen(["tail", "-c", f"+{offset}", "-f", log],
                        stdout=subprocess.PIPE)
text = b""
while select.select([tail.stdout], [], [], 30)[0]:
    text += os.read(tail.stdout.fileno(), 65536)
    if re.search(pattern, text.decode(errors="replace")):
        print(int((time.monotonic() - begin) * 1000))
        break
tail.kill()
tail.wait()
