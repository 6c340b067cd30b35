// Reading objects whose keys users chose: "constructor" and "__proto__" are names like any other.

/** The value that `object` itself has under `name`. */
export const own = <T>(object: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;
