// The smallest relay on Node's own Socket.IO: what a client sends goes to all others in the room.
const { Server } = require("socket.io");
const http = require("http").createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", (socket) => {
  socket.on("join", (room, done) => { socket.join(room); done(); });
  socket.on("relay", (room, data) => socket.to(room).emit("task:updated", data));
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
