import Database from 'better-sqlite3'
import { createServer, type IncomingMessage } from 'node:http'

// The least that answers what is measured over HTTP: node bare-server.js SOCKET DATABASE. GET answers with the bytes that
// the parent has sent, POST when a row with the body is on the disk.

const [socket = '', file = ''] = process.argv.slice(2)

const db = new Database(file)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec('CREATE TABLE bodies (body TEXT NOT NULL) STRICT')
const insert = db.prepare<[string]>('INSERT INTO bodies VALUES (?)')

let page = ''
process.on('message', (said) => {
  page = String(said)
  process.send?.('ready')
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

const server = createServer((request, response) => {
  void (async () => {
    const body = await bodyOf(request)
    if (request.method === 'POST') insert.run(body)
    response.writeHead(200, { 'content-type': 'application/json' }).end(page)
  })()
})
server.listen(socket, () => process.send?.('listening'))
