import Database from 'better-sqlite3'

// Holds the write lock of a database, as a forgotten sqlite3 shell would.
const db = new Database(process.argv[2] ?? '')
db.exec('BEGIN IMMEDIATE')
console.log('held')
// What nobody refers to any more would be collected, and its lock with it.
setInterval(() => db.open, 60_000)
