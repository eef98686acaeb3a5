"""A portal that comes back from yesterday: what it must still know, and what only the age of a telegram can say."""

from attacks.reach import Place
from attacks.restored import BEFORE, SINCE, Restored
from bench.rig.scenario import S, Stage, X, scenario
from sim.core.settings import without
from sim.faults.portal_restored import PortalRestored

BACKUP_MIN, RESTORED_MIN = 20, 55


@scenario(
    world="terrace-60",
    threats=["L22"],
    defences={
        "no time": {"portal.checks": without("ts", "age")},
        "readings only": {"portal.backup": "readings"},
    },
    not_for={"smgw": "there is no portal that has all keys, and no backup of its supplier"},
)
def test_a_restored_portal_takes_no_old_telegram(world: Stage) -> None:
    """The portal is backed up after twenty minutes and restored after fifty-five; what was recorded before the backup
    and since then is sent in the same second. With counters in the backup and times looked at, nothing of it is taken.
    The counters alone ("no time") know what came before the backup and take for new what came since; the times alone
    ("readings only") know both. Control: a backup without counters, and no time looked at."""
    attack = world.attack(Restored(backup_s=BACKUP_MIN * 60.0, restored_s=RESTORED_MIN * 60.0), place=Place(metres=3.0))
    world.service(at_least=0.3, because="what was stored between the backup and the loss is gone with the disk")
    world.run(minutes=BACKUP_MIN)
    world.inner.system.back_up_portal()
    world.run(minutes=RESTORED_MIN - BACKUP_MIN)
    world.fault(PortalRestored())
    world.run(minutes=20)
    old = "replayed access number | replayed counter | time off | late"
    world.expect(attack, BEFORE, because=old, on=(X, X, X), off=(S, S, S),
                 **{"no time": (X, X, X), "readings only": (X, X, X)})  # fmt: skip
    world.expect(attack, SINCE, because=old, on=(X, X, X), off=(S, S, S),
                 **{"no time": (S, S, S), "readings only": (X, X, X)})  # fmt: skip
