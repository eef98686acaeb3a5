"""The scenarios that speak of defects: the smallest one of a statement, on the embedded broker where that can be."""

from __future__ import annotations

from tests.referee.defect import Play

REPLAY = Play("card/test_replay.py")
WRAP = Play("radio/test_replay_by_defence.py", "quick_wrap")
BY_DEFENCE = Play("radio/test_replay_by_defence.py", "access_number_alone")
ELSEWHERE = Play("radio/test_patient_replay.py", "another_gateway")
WORMHOLE = Play("radio/test_wormhole.py")
HOLD_BACK = Play("radio/test_hold_back.py")
ALTERATION = Play("radio/test_alteration.py")
DOWNGRADE = Play("radio/test_downgrade.py")
POISONING = Play("radio/test_poisoning.py", "genuine")
GHOSTS = Play("radio/test_poisoning.py", "ghost")
TAMPERING = Play("radio/test_tampering.py")
KEYS = Play("radio/test_encryption_limits.py", "one_meters_key")
TAILS = Play("radio/test_encryption_limits.py", "behind_the_encrypted")
REPEATS = Play("radio/test_encryption_limits.py", "equal_ciphertext")
HABITS = Play("radio/test_habits.py")
JAMMING = Play("card/test_jamming.py")
CLONE = Play("card/test_cloned_gateway.py")
SNIFFING = Play("card/test_sniffing.py")
MITM = Play("card/test_man_in_the_middle.py", endpoint="mosquitto")
KILLED = Play("wan/test_custody.py", "killed", endpoint="mosquitto")
POWER = Play("wan/test_custody.py", "without_power")
PUBLISHED = Play("field/test_field_telegrams.py", "read_as_published")
EVERY_TYPE = Play("test_every_type.py")
ROLES = Play("test_roles.py")
ALARMS_END = Play("test_alarms_end.py")
PATH = Play("test_path_lost.py", endpoint="mosquitto")
CERTIFICATES = Play("test_certificates.py", endpoint="mosquitto")
TOPICS = Play("test_topics.py")
