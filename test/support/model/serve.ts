import { receipts } from './receipts.ts'
import { openModel } from './server.ts'

// The scripted model of the quickstart's first task: prints its address, and answers until it is ended.

const { origin } = await openModel({ script: receipts })
process.stdout.write(`${origin}\n`)
