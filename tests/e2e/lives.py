"""
Which server of the lab each file of tests is run on.

Three servers live at the same time, each through its files in this order, in a process of its own:
`python -m tests.e2e`. Much of a test is waiting, so that even two cores are done earlier with three than with two; with
four they are not (2,032 s, every processor at work all the time). A file may move to another server; put a new one
where the time is shorter: each run ends with the seconds that its files took.
"""

LIVES: dict[str, tuple[str, ...]] = {
    "server": (
        "test_01_bare.py",
        "test_02_deploy.py",
        "test_03_machine.py",
        "test_04_files.py",
        "test_05_instance.py",
        "test_06_visitors.py",
        "test_16_verbs.py",
        "test_14_firewall.py",
        "test_15_backup.py",
        "test_19_alerts.py",
    ),
    "server2": (
        "test_08_interrupted.py",
        # In the end it has the release of the suite.
        "test_09_upgrade.py",
        "test_07_changes.py",
        "test_18_without_a_gap.py",
        "test_13_members_and_passwords.py",
        "test_22_monitoring.py",
        "test_20_chores.py",
        # To releases of which there is no way back, so that nothing may follow that needs the suite's.
        "test_12_migrations.py",
    ),
    "server3": (
        "test_drift.py",
        # On bare servers each, so that nothing may follow that needs the instance. In the end it has what somebody has
        # set up by hand.
        "test_servers.py",
        # Each of these begins with a bare server.
        "test_21_years.py",
        "test_22_adopt.py",
        "test_11_way_in.py",
    ),
}

# These need no server but those that they make themselves. Whichever life ends first takes the next of them, so the
# longest are first.
APART = ("test_17_from_nothing.py", "test_23_one_gigabyte.py", "test_10_debian_12.py")

# Every row of the matrices, a part of them on each server. All of them begin with fresh ones: who knows what is there.
MATRICES: dict[str, dict[str, tuple[str, ...]]] = {
    "drift": {
        "server": ("test_drift.py", "--part", "1/3"),
        "server2": ("test_drift.py", "--part", "2/3"),
        "server3": ("test_drift.py", "--part", "3/3"),
    },
    "servers": {
        "server": ("test_11_way_in.py",),
        "server2": ("test_servers.py", "--part", "1/2"),
        "server3": ("test_servers.py", "--part", "2/2"),
    },
}
MATRIX_OPTIONS = ("--all-rows", "--verbose")
