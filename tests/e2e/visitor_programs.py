"""Programs for the visitor's machine, handed over on the standard input of its python3."""

# Waits on a stream of server-sent events for the first update; prints "open", then the event's data.
EVENTS = """
import sys, urllib.request
url, token = sys.argv[1:]
request = urllib.request.Request(url, headers={"Authorization": "Bearer " + token})
with urllib.request.urlopen(request, timeout=30) as stream:
    print("open", flush=True)
    event = ""
    for line in stream:
        name, _, value = line.decode().rstrip("\\n").partition(": ")
        if name == "event":
            event = value
        elif name == "data" and event == "update":
            print(value)
            break
"""

# The same over a WebSocket.
WEBSOCKET = """
import asyncio, json, sys, websockets
async def main(url, token):
    async with websockets.connect(url + "?access_token=" + token + "&stream=user", open_timeout=30) as connection:
        print("open", flush=True)
        while True:
            message = json.loads(await asyncio.wait_for(connection.recv(), 30))
            if message.get("event") == "update":
                print(message["payload"])
                return
asyncio.run(main(*sys.argv[1:]))
"""
