/* Octets of a client into the control socket: lines of JSON, or not. The
 * daemon's part is a stub that says what it was asked. */
#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sidecar/control.h"

enum { MAX_TURNS = 1000, MAX_SAID = 16384 };

static struct event_base *base;
static struct control *control;
static char folder[] = "/tmp/bgpward-fuzz-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static bool answered;

static json_t *answer(void *ctx, const json_t *request)
{
	(void)ctx;
	FUZZ_ASSERT(json_is_object(request));
	answered = true;
	return json_pack("{s:b, s:O?}", "ok", 1, "echo",
			 json_object_get(request, "command"));
}

static void tidy(void)
{
	control_close(control);
	event_base_free(base);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/c.lock",
		 folder);
	unlink(address.sun_path);
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	FUZZ_ASSERT(mkdtemp(folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/c", folder);
	base = event_base_new();
	FUZZ_ASSERT(base && control_open(base, address.sun_path, answer, NULL,
					 &control) == 0);
	atexit(tidy);
	return 0;
}

/* Take what comes back; false once the daemon has hung up. */
static bool take(int fd)
{
	char reply[4096];
	ssize_t got;

	do
		got = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
	while (got > 0);
	return got < 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t sent = 0;
	bool open = true;

	answered = false;
	if (size > MAX_SAID)
		size = MAX_SAID;
	FUZZ_ASSERT(fd >= 0 && connect(fd, (struct sockaddr *)&address,
				       sizeof(address)) == 0);
	for (unsigned i = 0; open && i < MAX_TURNS; i++) {
		ssize_t put = 0;

		if (sent < size)
			put = send(fd, data + sent, size - sent,
				   MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += put > 0 ? (size_t)put : 0;
		if (sent == size || (put < 0 && i > 0))
			shutdown(fd, SHUT_WR);
		event_base_loop(base, EVLOOP_NONBLOCK);
		open = take(fd);
	}
	close(fd);
	event_base_loop(base, EVLOOP_NONBLOCK);
	/* it lets go of everyone who has said what there is to say */
	FUZZ_ASSERT(!open);
	return 0;
}
