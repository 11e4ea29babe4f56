"""Work units: the loop cut into pieces that many processes and machines can do side by side.

The owner of a project plans units, workers do them, and the owner takes in what they made.  A
worker reads its unit and the pictures and writes one file; it opens no store.

work/
    profiles/<key>.json    what the units of a profile share
    units/<key>.json       a unit: stages and questions; the key is a hash of that
    shards/<key>.parquet   what a worker made of a unit, there as a whole or not at all
    partial/<key>.parquet  what one has made so far that was paid for
    failures/<key>.txt     why a worker gave a unit up
    logs/                  what workers printed

Work that is done twice is harmless: records have the keys of their content, and of two programs
for one place the first stays, with what follows from it.

Files:
    gather.py      the owner takes shards in
    launch.py      workers on this machine, or as an array of jobs of Slurm
    plan.py        units, their files, and which are to be made
    ray_engine.py  units on a Ray cluster
    shard.py       the records of a unit in one Parquet file
    spread.py      one run of the loop by many workers
    worker.py      does units
"""
