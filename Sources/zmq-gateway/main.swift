print("zmq-gateway")
