import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { buildImages } from '../../control-plane/main.ts'
import { imageTag } from '../../src/sandbox/docker/image/agents.ts'
import { ownTag } from '../../src/sandbox/docker/image/dockerfile.ts'
import { hostPath } from '../../src/config/places.ts'
import { docker, sandboxImage } from '../support/docker.ts'
import { openTestPlane, sh } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

it('a repository has boxes of its own image; without it its tasks wait, and those of others do not', async () => {
  await sandboxImage()
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-own-image-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const dockerfile = hostPath(join(folder, 'Dockerfile'))
  writeFileSync(
    dockerfile,
    'ARG BASE\nFROM ${BASE}\nUSER root\nRUN echo "echo mine" >/usr/bin/own && chmod +x /usr/bin/own\n',
  )
  const [repo, other] = [aRepository({ 'a.txt': 'a\n' }), aRepository({ 'a.txt': 'a\n' })]
  const plane = await openTestPlane(`repositories: { '${repo}': { image: { dockerfile: '${dockerfile}' } } }`)
  onTestFinished(() => plane.close())
  const wanted = { argv: sh('own >a.txt || echo none >a.txt'), test: 'true', yes: true }

  const waiting = await plane.run({ ...wanted, repo })
  expect([waiting.status, waiting.halt]).toMatchObject([
    'BLOCKED',
    { reason: 'image', text: expect.stringContaining('run `cofferdam image build`') as string },
  ])
  const elsewhere = await plane.run({ ...wanted, repo: other })
  expect(git(other, 'show', `cofferdam/${elsewhere.id}:a.txt`)).toBe('none\n')

  await buildImages(plane.config, () => undefined, { agents: null, fresh: false })
  onTestFinished(() => docker.getImage(ownTag(dockerfile, imageTag())).remove())
  await plane.client.act(waiting.id, { act: 'resume', instruction: null, budget: null })
  const done = await plane.settled(waiting.id)
  expect([done.status, git(repo, 'show', `cofferdam/${done.id}:a.txt`)]).toEqual(['APPLIED', 'mine\n'])
})
