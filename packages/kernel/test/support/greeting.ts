import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Two modules of which one needs the other, as anybody would write them. */
export async function writeGreeting(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const files: Readonly<Record<string, string>> = {
    Makefile: "obj-m := hello.o greeting.o\nhello-y := main.o where.o\n",
    "where.c": "const char *where(void);\nconst char *where(void) { return __FILE__; }\n",
    "main.c": `#include <linux/module.h>
void greet(const char *whom);
const char *where(void);
static int __init hello_init(void) { greet(where()); return 0; }
static void __exit hello_exit(void) { }
module_init(hello_init);
module_exit(hello_exit);
MODULE_DESCRIPTION("says hello");
MODULE_LICENSE("GPL");
`,
    "greeting.c": `#include <linux/module.h>
void greet(const char *whom);
void greet(const char *whom) { pr_alert("hello from %s\\n", whom); }
EXPORT_SYMBOL_GPL(greet);
MODULE_DESCRIPTION("greets");
MODULE_LICENSE("GPL");
`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
}
