import ZeroMQ

let router = try await MessageStream.open(.router, bind: ["tcp://127.0.0.1:*"])
let dealer = try await MessageStream.open(.dealer, connect: await router.transport.bindings)

for number in 0..<10 {
  dealer.write(["data", "ask", Frame("\(number)")])
  let question = try await router.read()  // whom it came from, and the frames
  router.write(question)
  let answer = try await dealer.read()
  print(answer)
}
await dealer.close()
await router.close()
print("DONE")
