"""Many processes and connections at once over one database, every answer of which must be that of a
single-threaded replay: tests/process/many_at_once_test.py for seconds, tests/soak for minutes.

  world      the database, where its files lie, how a connection is opened, what counts as an error
  questions  questions drawn at random, and what must hold of any answer to them
  jobs       a snapshot of the database with the questions that were asked in it: what a replay gets
  readers    ask, in autocommit and in snapshots; one holds its snapshot
  writers    insert, change, delete, roll back, forget, and ask in the middle
  trainer    publishes versions, deletes old ones, also under a cursor that is half read
  replay     one thread, PERSONALIZE_NO_STATE=1, asks the same of the snapshot and compares
  run        starts all of them as processes, kills some, and says how it went

Each of the roles is a process: python3 -m many_at_once.run ROLE ..., as run.py starts it.
"""
