import ZeroMQ

/// Answers with what it gets. A router puts in front of a message whom it came from, and sends to whom that names.
final class Echo: TransportDelegate {
  func messageReceived(_ message: Message, on transport: isolated Transport) { transport.write(message) }
  func connectionLost(_ error: ZMQError?, on transport: isolated Transport) { print("router closed") }
}

/// Hands answers to a task.
final class Answers: TransportDelegate {
  private let queue: AsyncStream<Message>.Continuation

  init(_ queue: AsyncStream<Message>.Continuation) { self.queue = queue }

  func messageReceived(_ message: Message, on transport: isolated Transport) { queue.yield(message) }
  func connectionLost(_ error: ZMQError?, on transport: isolated Transport) {
    print("dealer closed")
    queue.finish()
  }
}

let router = try await Transport.open(.router, bind: ["tcp://127.0.0.1:*"]) { Echo() }
let (answers, queue) = AsyncStream.makeStream(of: Message.self)
let dealer = try await Transport.open(.dealer, connect: await router.bindings) { Answers(queue) }

for number in 0..<10 {
  await dealer.write(["data", "ask", Frame("\(number)")])
  for await answer in answers.prefix(1) { print(answer) }
}
await dealer.close()
await dealer.waitClosed()
await router.close()
await router.waitClosed()
print("DONE")
