// better-sqlite3 as a host (run.py): its own SQLite, defensive, numbers bind as REAL.
const fs = require('fs');
const Database = require('better-sqlite3');

const [extension, setup, questions] = process.argv.slice(2);
const connection = new Database('test.db');
connection.loadExtension(extension);
connection.exec(fs.readFileSync(setup, 'utf8'));
for (const line of fs.readFileSync(questions, 'utf8').split('\n').filter(Boolean)) {
  const [sql, ...values] = line.split('\t');
  try {
    const statement = connection.prepare(sql);
    if (!statement.reader) {
      statement.run(...values.map(Number));
      continue;
    }
    for (const row of statement.raw().all(...values.map(Number)))
      console.log(row.map((value) => value === null ? '' : String(value)).join('|'));
  } catch (error) {
    console.log(error.message);
  }
}
connection.close();
