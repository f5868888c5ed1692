import Database from 'better-sqlite3'

// Holds the write lock of a database, as a forgotten sqlite3 shell would.
const db = new Database(process.argv[2] ?? '')
db.exec('BEGIN IMMEDIATE')
console.log('held')
setInterval(() => undefined, 60_000)
