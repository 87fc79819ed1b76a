/** The examples' templates, the best first, each with a file that it can run. */
export const EXAMPLES: ReadonlyArray<{
  template: string;
  name: string;
  text: string;
}> = [
  {
    template: 'python-script-v1',
    name: 'example.py',
    text: `import platform
import time

print(f"Hello from {platform.node()}", flush=True)
for step in range(1, 6):
    print(f"step {step} of 5", flush=True)
    time.sleep(1)
print("done")
`
  },
  {
    template: 'shell-script-v1',
    name: 'example.sh',
    text: `echo "Hello from $(hostname)"
for step in 1 2 3 4 5; do
  echo "step $step of 5"
  sleep 1
done
echo "done"
`
  }
];
