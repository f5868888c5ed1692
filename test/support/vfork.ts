// Before each file of tests: what a test starts does not have the library that the process of tests was given, see vfork.c.
if (process.env['LD_PRELOAD']?.endsWith('/vfork.so') === true) delete process.env['LD_PRELOAD']
