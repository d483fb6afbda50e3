// The lab's streaming server is started by this file's name; the program itself is in the image.
