#include "sidecar/user_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int attach(int fd)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI |
						IFF_VNET_HDR };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s",
		 USER_DEVICE_NAME);
	if (ioctl(fd, TUNSETIFF, &request) == -1)
		return -errno;
	return 0;
}

static int open_attached(int flags)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | flags);
	int err;

	if (fd == -1)
		return -errno;
	err = attach(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* ------------------------------------------------------------------ device */

unsigned user_device_index(void)
{
	return if_nametoindex(USER_DEVICE_NAME);
}

/* A device that a plane process holds is busy, and so is there. What is no TUN
 * device is invalid. */
int user_device_make(unsigned *ret_ifindex)
{
	int fd = open_attached(0);
	int err = 0;

	if (fd == -EINVAL && user_device_index())
		return -ENOTUNIQ;
	if (fd < 0 && fd != -EBUSY)
		return fd;
	if (fd >= 0) {
		if (ioctl(fd, TUNSETPERSIST, 1) == -1)
			err = -errno;
		close(fd);
	}
	if (err)
		return err;
	*ret_ifindex = user_device_index();
	return *ret_ifindex ? 0 : -ENODEV;
}

/* What cannot be written is left: then the device gets a link-local address
 * that nobody uses, or reverse path filtering stays (user_route.c). */
static void write_setting(const char *family, const char *name,
			  const char *value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family,
		 USER_DEVICE_NAME, name);
	file = fopen(path, "we");
	if (!file)
		return;
	fputs(value, file);
	fclose(file);
}

int user_device_up(void)
{
	struct ifreq request = { .ifr_name = USER_DEVICE_NAME };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd == -1)
		return -errno;
	write_setting("ipv6", "addr_gen_mode", "1");
	write_setting("ipv4", "rp_filter", "0");
	request.ifr_mtu = USER_DEVICE_MTU;
	if (ioctl(fd, SIOCSIFMTU, &request) == -1)
		err = -errno;
	request.ifr_flags = IFF_UP | IFF_NOARP | IFF_POINTOPOINT;
	if (!err && ioctl(fd, SIOCSIFFLAGS, &request) == -1)
		err = -errno;
	close(fd);
	return err;
}

int user_device_remove(struct netlink *route)
{
	struct ifinfomsg link = { .ifi_index = (int)user_device_index() };
	union netlink_request request;
	int err, fd;

	if (!link.ifi_index)
		return 0;
	/* somebody else's device with the name stays */
	fd = open_attached(0);
	if (fd >= 0)
		close(fd);
	else if (fd != -EBUSY)
		return 0;
	err = netlink_call(route, netlink_begin(&request, RTM_DELLINK, 0, &link,
						sizeof(link)), NULL, NULL);
	return err == -ENODEV ? 0 : err;
}

int user_device_open(void)
{
	const unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 |
				  TUN_F_TSO_ECN;
	int fd = open_attached(O_NONBLOCK);
	int err;

	if (fd < 0)
		return fd;
	if (ioctl(fd, TUNSETOFFLOAD, offloads) == -1) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
