import Synchronization
import ZeroMQRPC

/// What the workers do, and whether one was called.
final class Work: Sendable {
  private let called = Atomic(false)
  var wasCalled: Bool { called.load(ordering: .acquiring) }

  var methods: Methods {
    var methods = Methods()
    methods.add("remote_func", "step", "a", "b") { (step: Int, a: Int, b: Int) in
      print("HANDLER", step, a, b)
      self.called.store(true, ordering: .releasing)
    }
    return methods
  }
}

let work = Work()
let worker = try await PipelineService.start(work.methods, bind: ["tcp://*:*"])
let notifier = try await PipelineClient.connect(await worker.transport.bindings)

// Nothing comes back, so the only sign of a call is what it does. The first one waits for a worker, and is not lost.
var step = 0
while !work.wasCalled {
  try await notifier.notify.remote_func(step, 1, 2)
  step += 1
  try await Task.sleep(for: .milliseconds(10))
}

await notifier.close()
await notifier.waitClosed()
await worker.close()
await worker.waitClosed()
print("DONE")
