import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { httpApp } from '../../../control-plane/http/app.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { anOwner } from '../../support/task.ts'

let folder: string
let plane: ScriptedPlane
let app: ReturnType<typeof httpApp>
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-document-'))
  plane = new ScriptedPlane(folder, applies)
  app = httpApp(plane, { caller: () => anOwner, report: () => undefined })
})
afterAll(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

describe('the document', () => {
  it('is OpenAPI 3.1', async () => {
    const answer = await app.request('/openapi.json')
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(JSON.parse(text)).toMatchObject({ openapi: '3.1.0' })
  })
})
