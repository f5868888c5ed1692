import { mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

// The owner of a folder, who puts links in place of whatever another makes there: to a file, and to a folder.

const [, , place = '', file = '', folder = ''] = process.argv
process.setgid?.(1000)
process.setuid?.(1000)
process.chdir(place)
process.stdout.write('begins\n')
for (let number = 0; ; number += 1) {
  for (const name of readdirSync('.').filter((each) => each.startsWith('.cofferdam-canary-'))) {
    try {
      renameSync(name, `moved-${number}`)
      if (number % 2 === 0) symlinkSync(folder, name)
      else {
        mkdirSync(name)
        symlinkSync(file, join(name, 'token'))
      }
    } catch {
      // It was faster.
    }
  }
}
