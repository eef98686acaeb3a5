"""Many publishers, five hundred subscribers that share one subscription and store nothing: the shape in which a
published comparison of brokers (emqx/mqttbs results, XMeter 3.2.4, Mosquitto 2.0.15 on 16 cores) saw Mosquitto take 50
000 messages a second and deliver 40 000 of them, 12.5 s late in the mean. A broker acknowledges what it takes, so the
publishers see nothing of it: what counts is when a subscriber has the message."""

from bench.load.schedule import numbered, steady_times
from bench.load.shapes.port import Shape

SHAPE = Shape(
    "fan-in", "Many publishers, subscribers that share one subscription", lambda load: numbered(*steady_times(load)),
    takers="shared",
)  # fmt: skip
