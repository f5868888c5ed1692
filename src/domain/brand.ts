declare const brand: unique symbol

/** A string (or number) that must not be mixed up with another of the same shape. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** An absolute path on the host. */
export type HostPath = Brand<string, 'HostPath'>
/** An absolute path inside a box, such as `/work/src`. */
export type BoxPath = Brand<string, 'BoxPath'>
/** A path inside a repository, with `/`, without a leading `/`; the root is `''`. */
export type TreePath = string
/** A full git commit id in lowercase hex. */
export type CommitId = Brand<string, 'CommitId'>
/** A full git tree id in lowercase hex. */
export type TreeId = Brand<string, 'TreeId'>
/** Milliseconds since the Unix epoch. */
export type Millis = number
