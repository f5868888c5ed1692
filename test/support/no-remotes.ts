import { hostPath } from '../../src/config/places.ts'
import { openRemotes } from '../../src/worktree/remote/open.ts'

/** No repository is by URL. */
export const noRemotes = openRemotes({
  data: hostPath('/nonexistent'),
  author: { name: 'Cofferdam', email: 'cofferdam@localhost' },
  remotes: [],
})
