"""One DuckDB file for many processes: owner, attached ones, locks, migrations.

Files:
    archived.py    events of traces that lie beside the store, read
    attached.py    the store through its owner: sessions, transactions
    database.py    an open store: reading, writing, errors made clear
    days.py        the days of who asks: where a day begins, and which rows are in it
    link.py        the file itself or its owner; hand-over, retries
    literal.py     values and Arrow rows as SQL text
    local.py       the file opened here: upgraded, served, handed over
    local_disk.py  network file systems are refused
    locks.py       locks between processes: ownership, one write at a time
    migrate.py     numbered SQL steps that bring a store's tables up to date
    migrations/    numbered SQL steps
    owner.py       the owner's address and its Quack server
    reading.py     which queries of a person's only read
"""
