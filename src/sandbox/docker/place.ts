import { join } from 'node:path'
import type { BoxSpec } from '../../domain/box.ts'
import type { Place, Placed } from './body.ts'
import { pathOf, type Locations } from './locate.ts'
import { copyOf, overlayOptions } from './overlay.ts'

/**
 * Gives every mount its place on this disk. Sources whose writes are lost become views with an upper folder of their own
 * in `folder`, or copies there where the disk refuses such views.
 */
export async function placeMounts(
  spec: BoxSpec,
  locations: Locations,
  folder: string,
  copies: boolean,
): Promise<readonly Placed[]> {
  const throwaway = async (lowers: readonly string[], index: number): Promise<Place> => {
    const own = join(folder, `m${index}`)
    return copies
      ? { kind: 'path', path: await copyOf(lowers, own) }
      : { kind: 'overlay', options: await overlayOptions(lowers, own, spec.user) }
  }
  return Promise.all(
    locations.mounts.map(async (located, index): Promise<Placed> => {
      const { mount } = located
      const path = pathOf(located)
      const { source } = mount
      if (source.kind === 'setup') return { ...mount, place: await throwaway([path], index) }
      if (source.kind === 'tree' && source.writes === 'discard') {
        const lowers = locations.setup === null ? [path] : [path, locations.setup]
        return { ...mount, place: await throwaway(lowers, index) }
      }
      return { ...mount, place: { kind: 'path', path } }
    }),
  )
}
