import Testing
import ZeroMQRPC

@Test("of many occasions the first, second, fourth, eighth and so on are told")
func powersOfTwo() {
  var counter = PowerOfTwoCounter()
  let told = (1...20).filter { _ in counter.increment() }
  #expect(told == [1, 2, 4, 8, 16])
  #expect(counter.count == 20)
}
