import ZeroMQRPC

let (heard, ear) = AsyncStream.makeStream(of: Void.self)
var methods = Methods()
methods.add("remote_func", "step", "a", "b") { (step: Int, a: Int, b: Int) in
  print("HANDLER", step, a, b)
  ear.finish()
}

let subscriber = try await PubSubService.start(methods, subscribe: ["topic"], bind: ["tcp://127.0.0.1:*"]) {
  $0.logs = .exceptions()
}
let endpoints = try await subscriber.transport.bindings
print("SERVE", endpoints[0])
let publisher = try await PubSubClient.connect(endpoints)

// What is published before a subscription has arrived is lost. aiozmq's example repeats it until somebody hears; here that can be awaited.
try await publisher.waitForSubscriber(of: "topic")
try await publisher.publish("topic").remote_func(0, 1, 2)
for await _ in heard {}

await publisher.close()
await publisher.waitClosed()
await subscriber.close()
await subscriber.waitClosed()
print("DONE")
