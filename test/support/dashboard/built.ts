import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DashboardPlaces, dashboardPlaces } from '../../../control-plane/http/dashboard/files.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The dashboard as it is in the sources now, put together as `npm run build` does it. Once for all files of tests in a process. */
export function builtDashboard(): DashboardPlaces {
  built ??= build()
  return built
}

let built: DashboardPlaces | null = null

function build(): DashboardPlaces {
  const code = mkdtempSync(join(tmpdir(), 'cofferdam-dashboard-'))
  const options = ['--config', 'src/dashboard/rolldown.config.ts', '--dir', code, '--logLevel', 'warn']
  execFileSync(join(root, 'node_modules/.bin/rolldown'), options, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return { ...dashboardPlaces(), code }
}
