/**
 * Why a delivery came to nothing: others' commits would go with it; the branch has gone on, so that it cannot just be moved
 * forward; both have changed the same; setup or the test fails on what comes of it; or what its sentence alone says.
 */
export const refusals = ['foreign', 'diverged', 'conflict', 'setup', 'test', 'other'] as const
export type Refusal = (typeof refusals)[number]
