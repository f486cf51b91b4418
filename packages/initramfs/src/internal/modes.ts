/**
 * Permissions of a copied file. What differs only by the umask of whoever made the file must not change the
 * image; a file that its owner keeps for himself, such as a private key, stays so.
 */
export function copiedMode(mode: number): number {
  const special = mode & 0o7000;
  if ((mode & 0o077) === 0) return mode & 0o7777;
  return special | ((mode & 0o111) === 0 ? 0o644 : 0o755);
}
